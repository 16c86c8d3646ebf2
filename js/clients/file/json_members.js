const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * Splits a JSON object into the texts of its members, because numbers in them may be too large or too precise for JavaScript.
 * @param {string} text The JSON text of an object.
 * @returns {Map<string, string>} The texts by name; of two members with the same name, the last.
 */
export function membersOf(text) {
  const members = new Map();
  for (let at = 0; ;) {
    const name = text.indexOf('"', at);
    if (name === -1) return members;
    const nameEnd = endOfString(text, name);
    const start = text.indexOf(":", nameEnd) + 1;
    at = endOfMember(text, start);
    members.set(JSON.parse(text.slice(name, nameEnd + 1)), text.slice(start, at).trim());
  }
}

/**
 * Returns the end of a member's text: the index of a comma, or of the end of the object.
 * @param {string} text
 * @param {number} start
 */
function endOfMember(text, start) {
  for (let i = start, depth = 0; ; ++i) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        ++depth;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        if (--depth < 0) return i;
        break;
      case COMMA:
        if (depth === 0) return i;
    }
  }
}

/**
 * Finds the end of a string.
 * @param {string} text
 * @param {number} start The index of its opening quote.
 * @returns {number} The index of its closing quote.
 */
function endOfString(text, start) {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) --escapes;
    if ((end - escapes) % 2 === 0) return end;
  }
}
