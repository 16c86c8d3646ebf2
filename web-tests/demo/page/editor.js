import { get, del, set } from "./calls.js";
import { showCode } from "./code.js";
import { part } from "./parts.js";

/** The form with a key, a value and an expiry, and the call that it amounts to. */
export class Editor {
  form = part(document, "editor", HTMLFormElement);
  #key = part(this.form, "key", HTMLInputElement);
  #value = part(this.form, "value", HTMLInputElement);
  #expires = part(this.form, "custom", HTMLInputElement);
  #code = part(this.form, "code", HTMLElement);

  constructor() {
    // Not its focus, which it also gets on the way of the Tab key from one field to another.
    for (const type of ["click", "input"]) this.#expires.addEventListener(type, () => this.#choose("custom"));
    this.form.addEventListener("input", () => this.#preview());
    this.#preview();
  }

  set() {
    return set(this.#key.value, parseValue(this.#value.value), this.#chosenExpires());
  }

  get() {
    return get(this.#key.value);
  }

  del() {
    return del(this.#key.value);
  }

  /** As it was typed: what is no expiry, the library must say. */
  #chosenExpires() {
    const choice = String(new FormData(this.form).get("expires"));
    if (choice === "never") return null;
    return choice === "custom" ? this.#expires.value : choice;
  }

  /** @param {string} choice */
  #choose(choice) {
    /** @type {RadioNodeList} */ (this.form.elements.namedItem("expires")).value = choice;
    this.#preview();
  }

  #preview() {
    showCode(this.#code, `await store.${this.set().code}`);
  }
}

/**
 * JSON where it is JSON, so that a number, a list or an object can be typed; else the text itself.
 * @param {string} text
 * @returns {unknown}
 */
function parseValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
