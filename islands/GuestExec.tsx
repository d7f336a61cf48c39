import { useSignal } from "@preact/signals";
import { TextField } from "../components/kit/Field.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { api } from "../lib/client/api.ts";
import type { ExecResult } from "../lib/contract/mod.ts";
import { wordsOf } from "../lib/guest/words.ts";
import { guest as texts } from "../lib/i18n/en/guest.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { failureOf } from "../lib/text/failure.ts";

const { t } = textsOf(texts);

/** Programs that are remembered on the page. */
const MOST = 20;

/** A program that was run, the newest first. */
interface Entry {
  readonly id: number;
  readonly line: string;
  readonly result: ExecResult | null;
  readonly failure: string | null;
}

function Outcome({ entry: { result, failure } }: { entry: Entry }) {
  if (failure !== null) return <p class="error-text" role="alert">{failure}</p>;
  if (result === null) return <p class="text-muted">{t("guest.running")}</p>;
  const { stdout, stderr, exitCode, timedOut, stdoutTruncated, stderrTruncated } = result;
  return (
    <>
      {stdout !== "" && <pre class="guest-output">{stdout}</pre>}
      {stderr !== "" && <pre class="guest-output" data-stream="stderr">{stderr}</pre>}
      {stdout === "" && stderr === "" && <p class="text-muted">{t("guest.no_output")}</p>}
      {(stdoutTruncated || stderrTruncated) && <p class="text-muted">{t("guest.cut")}</p>}
      <p class={exitCode === 0 ? "text-muted" : "error-text"}>
        {timedOut ? t("guest.ended") : t("guest.exit", { code: exitCode })}
      </p>
    </>
  );
}

/** Runs programs in a VM's guest, and keeps what they said while the page is open. */
export default function GuestExec({ vmId }: { vmId: string }) {
  const line = useSignal("");
  const history = useSignal<readonly Entry[]>([]);
  const isRunning = useSignal(false);
  const problem = useSignal<string | null>(null);

  const run = async (text: string) => {
    const words = wordsOf(text);
    problem.value = words === null ? t("guest.unclosed") : null;
    const [command, ...args] = words ?? [];
    if (command === undefined || isRunning.value) return;
    const id = (history.value[0]?.id ?? 0) + 1;
    const begun: Entry = { id, line: text.trim(), result: null, failure: null };
    const put = (change: Partial<Entry>) => {
      history.value = history.value.map((each) => each.id === id ? { ...each, ...change } : each);
    };
    history.value = [begun, ...history.value].slice(0, MOST);
    isRunning.value = true;
    line.value = "";
    try {
      put({ result: await api.guestExec({ vmId, command, args }) });
    } catch (error) {
      put({ failure: failureOf(error).why });
    } finally {
      isRunning.value = false;
    }
  };

  return (
    <Panel title={t("guest.exec")}>
      <form
        class="guest-exec"
        onSubmit={(event) => {
          event.preventDefault();
          void run(line.value);
        }}
      >
        <TextField
          label={t("guest.program")}
          hint={t("guest.exec_what")}
          error={problem.value ?? undefined}
          name="program"
          wide
          class="input mono"
          value={line.value}
          onInput={(event) => line.value = event.currentTarget.value}
          placeholder="uname -a"
        />
        <button type="submit" class="button primary" disabled={isRunning.value}>
          {t(isRunning.value ? "guest.running" : "guest.run")}
        </button>
      </form>
      {history.value.length > 0 && (
        <ol class="guest-history" aria-live="polite">
          {history.value.map((entry) => (
            <li key={entry.id}>
              <p class="guest-line">
                <code>{entry.line}</code>
                <button
                  type="button"
                  class="button small"
                  disabled={isRunning.value}
                  onClick={() => void run(entry.line)}
                >
                  {t("guest.again")}
                </button>
              </p>
              <Outcome entry={entry} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
