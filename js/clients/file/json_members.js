const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * The members of an object, each as its text: a number in it may be larger, or longer, than JavaScript can hold.
 * @param {string} text JSON, of which the outermost thing is an object.
 * @returns {Map<string, string>} Of two members with one name, the last.
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
 * Where the text of a member ends: at a comma, or at the end of the object.
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
 * @param {string} text
 * @param {number} start Of the quote that the string begins with.
 * @returns {number} Of the one that it ends with.
 */
function endOfString(text, start) {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) --escapes;
    if ((end - escapes) % 2 === 0) return end;
  }
}
