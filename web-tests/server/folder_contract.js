// The contract over a Folder, for a disk of another kind: run by folder_names.test.js with the folder to work in.

import { folder } from "../contract/clients/files.js";
import { testContract } from "../contract/suite.js";
import kv from "polystore-wasm";

testContract(folder(kv, process.argv[2]));
