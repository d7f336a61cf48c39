import { Icon } from "./Icon.tsx";

/** A field to search a list with; its form sends it as `q`. */
export function SearchField({ label, value }: { label: string; value: string }) {
  return (
    <label class="field search-field">
      <Icon name="search" />
      <input type="search" name="q" defaultValue={value} placeholder={label} aria-label={label} />
    </label>
  );
}
