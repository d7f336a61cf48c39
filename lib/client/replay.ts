/** What was typed into a form before its island had come to life. */

function isChanged(field: Element): boolean {
  if (field instanceof HTMLSelectElement) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  }
  if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
  if (!(field instanceof HTMLInputElement)) return false;
  if (field.type === "radio") return field.checked && !field.defaultChecked;
  return field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : field.value !== field.defaultValue;
}

/**
 * Tells a form's listeners of everything that differs from what the server sent: whoever types faster than scripts
 * load loses nothing.
 */
export function replayInput(form: HTMLFormElement): void {
  for (const field of form.elements) {
    if (!isChanged(field)) continue;
    const isTyped = field instanceof HTMLTextAreaElement ||
      (field instanceof HTMLInputElement && !["radio", "checkbox"].includes(field.type));
    field.dispatchEvent(new Event(isTyped ? "input" : "change", { bubbles: true }));
  }
}
