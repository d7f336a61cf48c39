/** Telling a click on a link that we follow ourselves from one that the browser should. */

/** Whether a click is for us, and not for a new tab. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}
