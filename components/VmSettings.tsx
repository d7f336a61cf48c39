import { useSignal } from "@preact/signals";
import { attempt } from "../lib/client/act.ts";
import { api } from "../lib/client/api.ts";
import { report } from "../lib/client/toasts.ts";
import type { VM } from "../lib/contract/mod.ts";
import { DEFAULT_QUERY, listHref } from "../lib/format/list_query.ts";
import { parseTags } from "../lib/format/tags.ts";
import { oneLine } from "../lib/format/text.ts";
import { type PlainKey, t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Longest description shown; the rest is in the XML. */
const LONGEST_DESCRIPTION = 2_000;

interface SettingProps {
  vm: VM;
  enabled: boolean;
}

/** A form that changes one thing. Posts plainly without script. */
function change(
  vm: VM,
  done: PlainKey,
  failed: PlainKey,
  call: (form: FormData) => Promise<unknown>,
  after: () => void = () => {},
) {
  return {
    method: "post" as const,
    action: `/vms/${encodeURIComponent(vm.id)}/actions`,
    onSubmit: async (event: SubmitEvent) => {
      event.preventDefault();
      const form = new FormData(event.currentTarget as HTMLFormElement);
      if (!await attempt(t(failed), () => call(form))) return;
      report(t(done));
      after();
    },
  };
}

function Tags({ vm, enabled }: SettingProps) {
  const editing = useSignal(false);
  const form = change(
    vm,
    "done.set_tags",
    "failed.set_tags",
    (data) => api.setTags({ vmId: vm.id, tags: parseTags(String(data.get("tags") ?? "")) }),
    () => editing.value = false,
  );
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.tags")}</span>
      <div class="tags wrap">
        {vm.tags.map((tag) => (
          <a key={tag} class="tag" href={listHref(DEFAULT_QUERY, { tag })}>
            <bdi>{oneLine(tag, 40)}</bdi>
          </a>
        ))}
        {vm.tags.length === 0 && <span class="muted">{t("setting.none")}</span>}
        <details
          class="edit"
          open={editing.value}
          onToggle={(event) => editing.value = event.currentTarget.open}
        >
          <summary
            class="icon-button small"
            aria-label={t("setting.edit_tags")}
            title={t("setting.edit_tags")}
          >
            <Icon name="edit" />
          </summary>
          <form class="inline-form" {...form}>
            <input
              class="input"
              name="tags"
              aria-label={t("setting.tags")}
              defaultValue={vm.tags.join(" ")}
              key={vm.tags.join(" ")}
              placeholder={t("tags.hint")}
              autocomplete="off"
              spellcheck={false}
            />
            <button type="submit" class="button" name="action" value="set_tags" disabled={!enabled}>
              {t("setting.save")}
            </button>
          </form>
        </details>
      </div>
    </div>
  );
}

function Group({ vm, enabled }: SettingProps) {
  const editing = useSignal(false);
  const form = change(
    vm,
    "done.set_group",
    "failed.set_group",
    (data) => api.setGroup({ vmId: vm.id, group: String(data.get("group") ?? "").trim() }),
    () => editing.value = false,
  );
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.group")}</span>
      <div class="tags wrap">
        {vm.group
          ? (
            <a href={listHref(DEFAULT_QUERY, { group: vm.group })}>
              <bdi>{oneLine(vm.group, 60)}</bdi>
            </a>
          )
          : <span class="muted">{t("setting.none")}</span>}
        <details
          class="edit"
          open={editing.value}
          onToggle={(event) => editing.value = event.currentTarget.open}
        >
          <summary
            class="icon-button small"
            aria-label={t("setting.edit_group")}
            title={t("setting.edit_group")}
          >
            <Icon name="edit" />
          </summary>
          <form class="inline-form" {...form}>
            <input
              class="input"
              name="group"
              aria-label={t("setting.group")}
              defaultValue={vm.group ?? ""}
              key={vm.group ?? ""}
              maxLength={128}
              autocomplete="off"
            />
            <button type="submit" class="button" name="action" value="set_group" disabled={!enabled}>
              {t("setting.save")}
            </button>
          </form>
        </details>
      </div>
    </div>
  );
}

function Autostart({ vm, enabled }: SettingProps) {
  const wanted = !vm.autostart;
  const form = change(
    vm,
    "done.set_autostart",
    "failed.set_autostart",
    () => api.setAutostart({ vmId: vm.id, autostart: wanted }),
  );
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.autostart")}</span>
      <form {...form}>
        <input type="hidden" name="autostart" value={String(wanted)} />
        <button
          type="submit"
          class="switch"
          role="switch"
          aria-checked={vm.autostart}
          aria-label={t("setting.autostart")}
          name="action"
          value="set_autostart"
          disabled={!enabled || !vm.persistent}
        >
          <span class="switch-knob" aria-hidden="true" />
        </button>
        <span class="switch-word">{t(vm.autostart ? "setting.on" : "setting.off")}</span>
      </form>
    </div>
  );
}

/** How a machine is kept: tags, group, autostart, and what somebody wrote about it. */
export function VmSettings({ vm, enabled }: SettingProps) {
  const { description = "" } = vm;
  return (
    <div class="settings">
      <Tags vm={vm} enabled={enabled} />
      <Group vm={vm} enabled={enabled} />
      <Autostart vm={vm} enabled={enabled} />
      {description !== "" && (
        <div class="setting">
          <span class="setting-label">{t("setting.description")}</span>
          <p class="description" dir="auto" tabIndex={0}>
            {description.length > LONGEST_DESCRIPTION
              ? `${description.slice(0, LONGEST_DESCRIPTION)}…`
              : description}
          </p>
        </div>
      )}
    </div>
  );
}
