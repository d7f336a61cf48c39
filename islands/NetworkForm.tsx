import { leave } from "../lib/client/toasts.ts";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { NetworkFields, type NetworkValues } from "../components/network/NetworkFields.tsx";
import { api, ApiError } from "../lib/client/api.ts";
import type { NetworkFinding, NetworkMode, NetworkOptions } from "../lib/contract/mod.ts";
import { answerWarnings } from "../lib/text/notice.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { findingIn, findingOf, networkIn, warningsIn } from "../lib/network/network_form.ts";
import { networkHref } from "../lib/network/network_href.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Flash } from "../components/kit/Flash.tsx";

const { t } = textsOf(texts);

/** Milliseconds after the last key until what is there is checked. */
const QUIET_MS = 350;

/** Props of {@link NetworkForm}. */
export interface NetworkFormProps {
  mode: NetworkMode;
  options: NetworkOptions;
  values: NetworkValues;
  /** Findings on a plain form that was sent before. */
  findings: readonly NetworkFinding[];
  failure: Failure | null;
}

/** The form for a new network: checked while one types. A plain form without script. */
export default function NetworkForm({ mode, options, values, findings, failure }: NetworkFormProps) {
  const now = useSignal(values);
  const found = useSignal(findings);
  const failed = useSignal(failure);
  const doing = useSignal<"idle" | "checking" | "creating">("idle");
  const isChecked = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const asked = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);

  const check = async (form: HTMLFormElement) => {
    const mine = ++asked.current;
    doing.value = "checking";
    let result: readonly NetworkFinding[];
    try {
      const network = networkIn(new FormData(form));
      // Without a name yet, the rest is checked all the same.
      result = await api.checkNetwork({ ...network, name: network.name || "new" });
    } catch (error) {
      // What the schema refuses is a finding, too; that the server is away is said by the page's banner.
      result = error instanceof ApiError ? findingIn(error) : [];
    }
    if (mine !== asked.current || doing.peek() === "creating") return;
    found.value = result;
    isChecked.value = true;
    doing.value = "idle";
  };
  const onInput = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    now.value = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    isChecked.value = false;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => check(form), QUIET_MS);
  };
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (doing.peek() === "creating") return;
    clearTimeout(timer.current);
    doing.value = "creating";
    failed.value = null;
    try {
      const created = await api.createNetwork(
        networkIn(new FormData(event.currentTarget as HTMLFormElement)),
      );
      const { name } = created;
      leave(networkHref(name), { word: "create_network", name, warnings: answerWarnings(created) });
    } catch (error) {
      doing.value = "idle";
      found.value = error instanceof ApiError ? findingIn(error) : [];
      failed.value = failureOf(error);
    }
  };
  // An empty form is not wrong yet: its name is missed only once it is sent.
  const errorOf = (field: string) =>
    field === "name" && !now.value.name && failed.value === null ? undefined : findingOf(found.value, field);
  const status = {
    idle: !isChecked.value || found.value.some(({ severity }) => severity === "error")
      ? ""
      : warningsIn(found.value) || t("networks.fits"),
    checking: t("networks.checking"),
    creating: t("networks.creating"),
  }[doing.value];
  return (
    <form class="network-form" method="post" onInput={onInput} onSubmit={onSubmit}>
      <input type="hidden" name="mode" value={mode} />
      <Flash tone="bad" failure={failed.value} />
      <NetworkFields mode={mode} options={options} values={now.value} errorOf={errorOf} />
      <footer class="dialog-foot panel">
        <span class="text-muted grow" role="status">{status}</span>
        <a class="button" href="/networks">{t("networks.cancel")}</a>
        <button type="submit" class="button primary" disabled={doing.value === "creating"}>
          {t("networks.create")}
        </button>
      </footer>
    </form>
  );
}
