// The methods that a page downloads when it calls one of them for the first time.

import { changes } from "./changes.js";
import { page } from "./cursor.js";

export { Changing } from "../core/change.js";
export { performChange } from "../core/change_group.js";
export const methods = { ...changes, page };
