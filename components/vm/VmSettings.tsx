import { useSignal } from "@preact/signals";
import type { VM } from "../../lib/contract/mod.ts";
import { DEFAULT_QUERY, listHref } from "../../lib/vm/list_query.ts";
import { isOfferedNow } from "../../lib/access/looking.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { t } from "../../lib/i18n/mod.ts";
import { changes } from "./change_form.ts";
import { Icon } from "../kit/Icon.tsx";
import { Switch } from "../kit/Switch.tsx";

/** Longest description shown; the rest is in the XML. */
const LONGEST_DESCRIPTION = 2_000;

interface SettingProps {
  vm: VM;
  enabled: boolean;
}

function Tags({ vm, enabled }: SettingProps) {
  const editing = useSignal(false);
  const form = changes(vm, "set_tags", {}, "failed.set_tags", (isDone) => isDone && (editing.value = false));
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.tags")}</span>
      <div class="tags wrap">
        {vm.tags.map((tag) => (
          <a key={tag} class="tag" href={listHref(DEFAULT_QUERY, { tag })}>
            <bdi>{oneLine(tag, 40)}</bdi>
          </a>
        ))}
        {vm.tags.length === 0 && <span class="text-muted">{t("setting.none")}</span>}
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
            <button type="submit" class="button" disabled={!enabled}>
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
  const form = changes(
    vm,
    "set_group",
    {},
    "failed.set_group",
    (isDone) => isDone && (editing.value = false),
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
          : <span class="text-muted">{t("setting.none")}</span>}
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
            <button type="submit" class="button" disabled={!enabled}>
              {t("setting.save")}
            </button>
          </form>
        </details>
      </div>
    </div>
  );
}

/** The project and the end date; who may change them has a page for that. */
function ProjectAndEnd({ vm }: Pick<SettingProps, "vm">) {
  const { project, endsAt } = vm;
  const mayChange = isOfferedNow("set_vm_project");
  if (project === undefined && endsAt === undefined && !mayChange) return null;
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.project")}</span>
      <div class="tags wrap">
        {project === undefined
          ? <span class="text-muted">{t("setting.none")}</span>
          : (
            <a href={listHref(DEFAULT_QUERY, { project: project.name })}>
              <bdi>{oneLine(project.name, 60)}</bdi>
            </a>
          )}
        {endsAt !== undefined && (
          <span class="text-muted">{t("setting.ends_at", { at: formatWhen(endsAt) })}</span>
        )}
        {mayChange && (
          <a
            class="icon-button small"
            href={`/vms/${encodeURIComponent(vm.id)}/project`}
            aria-label={t("setting.edit_project")}
            title={t("setting.edit_project")}
          >
            <Icon name="edit" />
          </a>
        )}
      </div>
    </div>
  );
}

function Autostart({ vm, enabled }: SettingProps) {
  const form = changes(vm, "set_autostart", { autostart: !vm.autostart }, "failed.set_autostart");
  return (
    <div class="setting">
      <span class="setting-label">{t("setting.autostart")}</span>
      <form {...form}>
        <Switch
          checked={vm.autostart}
          label={t("setting.autostart")}
          word={t(vm.autostart ? "setting.on" : "setting.off")}
          disabled={!enabled || !vm.persistent}
        />
      </form>
    </div>
  );
}

/** How a VM is kept: tags, group, autostart, and what somebody wrote about it. */
export function VmSettings({ vm, enabled }: SettingProps) {
  const { description = "" } = vm;
  return (
    <div class="settings">
      <Tags vm={vm} enabled={enabled} />
      <Group vm={vm} enabled={enabled} />
      <ProjectAndEnd vm={vm} />
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
