/** Props of {@link Switch}. */
export interface SwitchProps {
  checked: boolean;
  /** Its setting, for screen readers. */
  label: string;
  /** Text of its state, next to it. */
  word: string;
  /** Name and value that are posted, where the form's other fields do not say what is wanted. */
  name?: string;
  value?: string;
  disabled: boolean;
}

/** A switch that submits its form: it works without script, and its state comes with the answer. */
export function Switch({ checked, label, word, ...button }: SwitchProps) {
  return (
    <>
      <button
        type="submit"
        class="switch"
        role="switch"
        aria-checked={checked}
        aria-label={label}
        {...button}
      >
        <span class="switch-knob" aria-hidden="true" />
      </button>
      <span class="switch-word">{word}</span>
    </>
  );
}
