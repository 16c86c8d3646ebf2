import kv from "../../dist/index.js";
import { behavioursOf, runBehaviour } from "../contract/behaviours.js";
import { pageSubjects, portableSubjects } from "../contract/clients.js";
import { browserLevel } from "../contract/clients/browser_level.js";
import { indexedDb } from "../contract/clients/indexeddb.js";
import { distantHttp } from "../contract/clients/http.js";
import { runCase } from "../contract/runner.js";

const response = await fetch("../contract/cases.json");
/** @type {import("../contract/check.js").Case[]} */
const cases = await response.json();
/** @type {import("../contract/subject.js").Subject[]} */
const subjects = [...pageSubjects(kv, window.localforage), indexedDb(kv), ...portableSubjects(kv)];
const server = new URLSearchParams(location.search).get("http");
if (server) subjects.push(distantHttp(kv, "HTTP", server));
if (window.browserLevel) subjects.push(browserLevel(kv, window.browserLevel.BrowserLevel));

/** Runs a case or a behaviour of the contract over a storage of this page. */
window.contract = async (subjectName, name) => {
  const subject = subjects.find((subject) => subject.name === subjectName);
  if (!subject) throw new Error(`There is no subject ${subjectName}.`);
  const testCase = cases.find((testCase) => testCase.name === name);
  if (testCase) await runCase(testCase, subject);
  else await runBehaviour(behavioursOf(subject)[name], subject);
  return "held";
};
