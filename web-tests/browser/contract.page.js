import kv from "../../dist/index.js";
import { allCasesOf } from "../contract/all_cases.js";
import { pageSubjects, portableSubjects } from "../contract/clients.js";
import { browserLevel } from "../contract/clients/browser_level.js";
import { indexedDb } from "../contract/clients/indexeddb.js";
import { distantHttp } from "../contract/clients/http.js";

/** @type {import("../../js/contract/subject.js").Subject[]} */
const subjects = [...pageSubjects(kv, window.localforage), indexedDb(kv), ...portableSubjects(kv)];
const server = new URLSearchParams(location.search).get("http");
if (server) subjects.push(distantHttp(kv, "HTTP", server));
if (window.browserLevel) subjects.push(browserLevel(kv, window.browserLevel.BrowserLevel));

/** Runs a case or a behaviour of the contract over a storage of this page. */
window.contract = async (subjectName, name) => {
  const subject = subjects.find((subject) => subject.name === subjectName);
  if (!subject) throw new Error(`There is no subject ${subjectName}.`);
  const testCase = allCasesOf(subject).find((testCase) => testCase.name === name);
  if (!testCase) throw new Error(`${subjectName} has no case ${name}.`);
  return testCase.run();
};
