import text from "#core-text";
import { moduleOfText } from "./module_of_text.js";

/** Compiles the core from the text in this module, so that the package needs no second file. */
export const compiledCore = () => moduleOfText(text);
