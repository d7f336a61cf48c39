import { Icon } from "./Icon.tsx";

/** Escape takes back what was typed; where the list is what the box says, it shows the whole list again. */
function onEscape(event: KeyboardEvent & { currentTarget: HTMLInputElement }, value: string): void {
  if (event.key !== "Escape") return;
  const box = event.currentTarget;
  // The browser's own Escape empties the box, and leaves the list as it is.
  event.preventDefault();
  if (box.value !== value) box.value = value;
  else if (value === "") box.blur();
  else {
    box.value = "";
    box.form?.requestSubmit();
  }
}

/** A field to search a list with; its form sends it as `q`. */
export function SearchField({ label, value }: { label: string; value: string }) {
  return (
    <label class="field search-field">
      <Icon name="search" />
      <input
        type="search"
        name="q"
        defaultValue={value}
        placeholder={label}
        aria-label={label}
        onKeyDown={(event) => onEscape(event, value)}
      />
    </label>
  );
}
