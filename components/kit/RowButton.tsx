/** Props of {@link RowButton}. */
export interface RowButtonProps {
  /** Where it is sent: see `formHref()`. */
  action: string;
  /** What it does, and, for who does not see the row, to what. */
  text: string;
  label: string;
  /** What is lost by it is plain to see: it is not asked for again. */
  confirmed?: boolean;
}

/** A button of a table's row: a form of its own. */
export function RowButton({ action, text, label, confirmed = false }: RowButtonProps) {
  return (
    <form method="post" action={action}>
      {confirmed && <input type="hidden" name="confirmed" value="yes" />}
      <button type="submit" class="button small" aria-label={label}>{text}</button>
    </form>
  );
}
