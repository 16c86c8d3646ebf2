import text from "#core-text";
import { moduleOfText } from "./module_of_text.js";

/** The core, compiled at run time from the text that this module carries: one file, whoever fetches it. */
export const compiledCore = () => moduleOfText(text);
