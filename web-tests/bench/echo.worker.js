// Answers, and does nothing else.

/** @param {MessageEvent<unknown>} event */
onmessage = ({ data }) => postMessage(data);
