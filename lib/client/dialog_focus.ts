/** Moves the focus of a modal dialog to its content instead of the close button. */

const FIELD = ".dialog-body :is(input:not([type=hidden]), select, textarea):enabled";
const WRONG = `${FIELD}[aria-invalid]`;
/** The first button at the foot of a question is the safe one. */
const SAFE = ".dialog-foot :is(button:enabled, a[href])";

/** The element to begin with: what asks for it, a field with an error, the first field; the safe button of a question. */
function firstOf(dialog: HTMLElement): HTMLElement | null {
  const isQuestion = dialog.querySelector(".dialog-foot .danger") !== null;
  const inOrder = ["[autofocus]", WRONG, ...isQuestion ? [] : [FIELD], SAFE];
  for (const selector of inOrder) {
    const found = dialog.querySelector<HTMLElement>(selector);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Focuses the first field of an open dialog, also when it comes later, and after a refusal the first field with an error. A
 * focus that the user has moved stays.
 *
 * @returns ends that
 */
export function keepDialogFocus(dialog: HTMLElement): () => void {
  const begin = () => {
    const first = firstOf(dialog);
    if (first !== null && first !== document.activeElement) first.focus();
    return document.activeElement;
  };
  let given = begin(), isSent = false;
  const watch = new MutationObserver(() => {
    const wrong = isSent ? dialog.querySelector<HTMLElement>(WRONG) : null;
    if (wrong !== null) {
      isSent = false;
      wrong.focus();
    } else if (document.activeElement === given || !dialog.contains(document.activeElement)) given = begin();
  });
  watch.observe(dialog, { childList: true, subtree: true, attributeFilter: ["aria-invalid"] });
  const onSent = () => {
    isSent = true;
  };
  dialog.addEventListener("submit", onSent);
  return () => {
    watch.disconnect();
    dialog.removeEventListener("submit", onSent);
  };
}
