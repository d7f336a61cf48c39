/** Props of {@link RowButton}. */
export interface RowButtonProps {
  /** Address that it is sent to: see `formHref()`. */
  action: string;
  /** Its visible text; `label` names the row as well, for screen readers. */
  text: string;
  label: string;
  /** The loss is obvious: no confirmation is asked for. */
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
