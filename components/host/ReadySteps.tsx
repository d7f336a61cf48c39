import type { ShownLack } from "../../lib/host/ready.ts";
import { Flash } from "../kit/Flash.tsx";

/** The steps that put right what is lacking: a plain form each. */
export function ReadySteps({ lack: { steps, otherwise } }: { lack: ShownLack }) {
  if (steps.length === 0) return <span class="text-muted">{otherwise}</span>;
  return (
    <>
      {steps.map(({ action, text }, index) => (
        <form key={text} method="post" action={action}>
          <button type="submit" class={index === 0 ? "button primary" : "button"}>{text}</button>
        </form>
      ))}
    </>
  );
}

/** Missing part of the host as a bar with its steps; nothing if none is missing. */
export function NotReadyBar({ lack }: { lack: ShownLack | null }) {
  if (lack === null) return null;
  return (
    <Flash tone="warn" actions={<ReadySteps lack={lack} />}>
      {lack.sentence}
    </Flash>
  );
}
