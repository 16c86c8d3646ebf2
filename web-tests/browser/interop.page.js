import kv from "../../dist/index.js";
import upstream from "../../node_modules/polystore/index.js";
import * as checks from "../interop/interop.js";

const { localforage } = window;

/** @type {Record<string, () => any>} */
const clients = {
  localStorage: () => localStorage,
  sessionStorage: () => sessionStorage,
  cookie: () => "cookie",
  localForage: () => localforage.createInstance({ name: "interop" }),
  "localForage over localStorage": () =>
    localforage.createInstance({ name: "interop", driver: localforage.LOCALSTORAGE }),
};

/** Leaves nothing in any of the clients. */
async function empty() {
  localStorage.clear();
  sessionStorage.clear();
  for (const cookie of document.cookie.split("; ")) {
    for (const path of ["", "; path=/"]) document.cookie = `${cookie.split("=")[0]}=; max-age=0${path}`;
  }
  await clients.localForage().clear();
  await clients["localForage over localStorage"]().clear();
}

window.interop = async (client, check, writer) => {
  await empty();
  const [first, second] = writer === "ours" ? [kv, upstream] : [upstream, kv];
  await checks[check](first, second, clients[client]());
  return "held";
};
