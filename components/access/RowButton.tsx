/** Props of {@link RowButton}. */
export interface RowButtonProps {
  /** Name and value that are posted. */
  name: string;
  value: string;
  /** What it does, and, for who does not see the row, to what. */
  text: string;
  label: string;
  /** Another field that is posted along. */
  more?: { readonly name: string; readonly value: string };
}

/** A button of a table's row: a form of its own, which the page's address takes. */
export function RowButton({ name, value, text, label, more }: RowButtonProps) {
  return (
    <form method="post">
      {more && <input type="hidden" name={more.name} value={more.value} />}
      <button type="submit" class="button small" name={name} value={value} aria-label={label}>{text}</button>
    </form>
  );
}
