import type { NotReady } from "../../lib/host/ready.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { ready } from "../../lib/i18n/en/ready.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(ready);

/** Props of {@link ReadySteps}. */
export interface ReadyStepsProps {
  /** What is lacking, with the steps that the person may take. */
  lack: NotReady;
  /** The page to come back to. */
  here: string;
}

/** The steps that put right what is lacking: a plain form each. */
export function ReadySteps({ lack: { steps }, here }: ReadyStepsProps) {
  if (steps.length === 0) return <span class="text-muted">{t("ready.no_right")}</span>;
  return (
    <>
      {steps.map(({ command, fields, text }, index) => (
        <form key={text} method="post" action={formHref(command, fields, here)}>
          <button type="submit" class={index === 0 ? "button primary" : "button"}>{text}</button>
        </form>
      ))}
    </>
  );
}

/** What is lacking, as a bar with its steps. Nothing where nothing is. */
export function NotReadyBar({ lack, here }: { lack: NotReady | null; here: string }) {
  if (lack === null) return null;
  return (
    <Flash tone="warn" actions={<ReadySteps lack={lack} here={here} />}>
      {lack.sentence}
    </Flash>
  );
}
