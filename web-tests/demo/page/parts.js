// Finding and making the elements that index.html declares.

/**
 * The one element in `parent` whose `data-part` is this.
 * @template {Element} T
 * @param {ParentNode} parent
 * @param {string} name
 * @param {new () => T} type
 * @returns {T}
 */
export function part(parent, name, type) {
  const element = parent.querySelector(`[data-part="${name}"]`);
  if (element instanceof type) return element;
  throw new Error(`index.html has no ${type.name} ${name}`);
}

/**
 * A copy of what a template holds.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function make(name) {
  const { firstElementChild } = part(document, name, HTMLTemplateElement).content;
  return /** @type {HTMLElement} */ (firstElementChild?.cloneNode(true));
}
