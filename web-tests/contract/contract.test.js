// The contract, over every storage that Node can have or imitate. CONTRACT_OF names another library to run it against:
//
//     CONTRACT_OF=polystore node --test web-tests/contract/contract.test.js

import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import localForage from "localforage";
import { libraryBehaviours, runLibraryBehaviour } from "./behaviours.js";
import { portableSubjects, simulatedSubjects } from "./clients.js";
import { FakeStorage } from "./clients/fake_storage.js";
import { testContract } from "./suite.js";

const name = process.env.CONTRACT_OF ?? "polystore-wasm";
// Another library may know a Storage by its class only.
if (process.env.CONTRACT_OF) Object.assign(globalThis, { Storage: FakeStorage });

const { default: kv, PolystoreError } = await import(name);
const { default: secondKv } = await import(`${import.meta.resolve(name)}?second`);

for (const subject of [...portableSubjects(kv), ...(await simulatedSubjects(kv, localForage))]) testContract(subject);

describe("the library", () => {
  for (const [name, behaviour] of Object.entries(libraryBehaviours)) {
    test(name, () => runLibraryBehaviour(behaviour, { kv, secondKv, PolystoreError, elsewhere: runInNewContext }));
  }
});
