/**
 * Restores text and choices that users entered before an island took over: hydration sets its fields to the values of
 * the server.
 */

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/**
 * Notes what differs from what the server rendered.
 *
 * @returns sets it again where it was lost, and tells the island of it as if it were typed now
 */
export function keepTyped(island: Element): () => void {
  const restores = [...island.querySelectorAll<Field>("input, textarea, select")].map(restorer);
  return () => {
    for (const restore of restores) restore?.();
  };
}

/** Function that sets one field again; undefined if its value is unchanged. */
function restorer(field: Field): (() => void) | undefined {
  const set = setter(field);
  if (set === undefined) return undefined;
  return () => {
    if (!field.isConnected) return;
    set();
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  };
}

function setter(field: Field): (() => void) | undefined {
  // What the server filled in again after a refusal: an island may begin with something else.
  const isKept = field.dataset.typed !== undefined;
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const chosen = options.map(({ selected }) => selected);
    // Without a default of its own a list shows its first entry.
    const first = field.multiple || options.some(({ defaultSelected }) => defaultSelected) ? -1 : 0;
    const differs = options.some(({ defaultSelected }, index) =>
      chosen[index] !== (defaultSelected || index === first)
    );
    return differs || isKept
      ? () => options.forEach((option, index) => option.selected = chosen[index]!)
      : undefined;
  }
  if (field instanceof HTMLInputElement) {
    if (field.type === "checkbox" || field.type === "radio") {
      const { checked } = field;
      // A radio button that is no longer chosen is told by the one that is.
      const differs = (isKept || checked !== field.defaultChecked) && (checked || field.type === "checkbox");
      return differs ? () => field.checked = checked : undefined;
    }
    // A file stays chosen: its island only has to be told.
    if (field.type === "file") return (field.files?.length ?? 0) > 0 ? () => {} : undefined;
    if (field.type === "hidden") return undefined;
  }
  const { value } = field;
  return value === field.defaultValue && !isKept ? undefined : () => field.value = value;
}
