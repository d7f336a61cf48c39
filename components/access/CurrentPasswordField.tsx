import { TextField } from "../Field.tsx";

/** Where somebody proves that it is them, by the password they have. */
export function CurrentPasswordField(
  { label, name = "password", autofocus }: { label: string; name?: string; autofocus?: boolean },
) {
  return (
    <TextField
      label={label}
      name={name}
      type="password"
      autocomplete="current-password"
      required
      maxLength={1024}
      autofocus={autofocus}
    />
  );
}
