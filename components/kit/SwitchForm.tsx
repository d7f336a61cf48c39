import { Switch, type SwitchProps } from "./Switch.tsx";

/** Props of {@link SwitchForm}. */
export interface SwitchFormProps extends Omit<SwitchProps, "name" | "value"> {
  /** Address that it is posted to; it contains the wanted setting. */
  action: string;
  /** Sends it by script, and stays on the page. */
  onSubmit?: (event: SubmitEvent) => void;
}

/** A switch with a form of its own. */
export function SwitchForm({ action, onSubmit, ...shown }: SwitchFormProps) {
  return (
    <form class="switch-form" method="post" action={action} {...(onSubmit && { onSubmit })}>
      <Switch {...shown} />
    </form>
  );
}
