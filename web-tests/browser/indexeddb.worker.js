// Uses a store whose client a page names, and tells that page what is in it.

import kv from "../../dist/index.js";

onmessage = async ({ data }) => {
  const store = kv(data);
  await store.set("worker", 2);
  postMessage({ type: store.type, all: await store.all() });
};
