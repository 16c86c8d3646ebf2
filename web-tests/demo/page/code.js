const LONGEST = 120;

/**
 * A value as one would write it in a program; cut where it is long.
 * @param {unknown} value
 * @returns {string}
 */
export function literal(value) {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/**
 * Shows code, its strings set apart.
 * @param {Element} element
 * @param {string} code
 */
export function showCode(element, code) {
  const parts = code.split(/("(?:[^"\\]|\\.)*")/); // odd ones are strings
  element.replaceChildren(
    ...parts.map((part, i) => {
      if (i % 2 === 0) return part;
      const string = document.createElement("span");
      string.className = "string";
      string.textContent = part;
      return string;
    }),
  );
}
