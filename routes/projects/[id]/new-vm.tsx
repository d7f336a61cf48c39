import { page } from "fresh";
import { Head } from "fresh/runtime";
import { CheckField, SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { projects as texts } from "../../../lib/i18n/en/projects.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);

const COMMAND = "create_project_vm";
/** Numbers of a VM that a project may have defaults for. */
const NUMBERS = [
  { name: "cpuCount", min: 1, suffix: undefined },
  { name: "memoryMb", min: 128, suffix: "MiB" },
  { name: "diskSizeGb", min: 1, suffix: "GiB" },
] as const;

export const handler = define.handlers({
  async GET({ state, params }) {
    const { api } = state;
    const [project, { sshKeys }] = await Promise.all([
      api.getProject({ projectId: params.id ?? "" }).catch(fail),
      api.getSshKeys().catch(fail),
    ]);
    state.subject = project.name;
    return page({ project, sshKeys });
  },
});

const choicesOf = (names: readonly string[]) =>
  names.map((name) => ({ value: name, label: oneLine(name, 80) }));

/** Page on which a member of a project creates a VM. */
export default define.page<typeof handler>(function NewProjectVm({ data: { project, sshKeys }, state }) {
  const { id: projectId, defaults } = project,
    title = t("projects.new_vm", { name: oneLine(project.name, 60) });
  const back = `/projects/${encodeURIComponent(projectId)}`, here = `${back}/new-vm`;
  const typed = typedAgain(state.refused, COMMAND), isOpen = project.pools.length > 0;
  const errorAt = (field: string) => refusalAt(state.refused, COMMAND, field);
  const hintOf = (value: number | undefined) => value === undefined ? {} : { placeholder: String(value) };
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <Flash tone="bad" failure={state.refused?.failure ?? null} />
      {!isOpen && <Flash tone="warn">{t("projects.new_vm_closed")}</Flash>}
      {isOpen && (
        <Panel title={t("projects.create_vm")} class="storage-form">
          <p class="pad text-muted">{t("projects.new_vm_what")}</p>
          <form method="post" action={formHref(COMMAND, { projectId }, back, here)}>
            <div class="form-grid">
              <TextField
                name="name"
                label={t("projects.new_vm.name")}
                hint={t("projects.new_vm.name_hint")}
                required
                maxLength={64}
                defaultValue={typed?.name}
                error={errorAt("name")}
              />
              <SelectField
                name="image"
                label={t("projects.new_vm.image")}
                hint={t("projects.new_vm.image_hint")}
                value={typed?.image ?? project.images[0] ?? ""}
                choices={[{ value: "", label: t("projects.new_vm.no_image") }, ...choicesOf(project.images)]}
                error={errorAt("image")}
              />
              {NUMBERS.map(({ name, min, suffix }) => (
                <TextField
                  key={name}
                  name={name}
                  type="number"
                  min={min}
                  label={t(`projects.default.${name}`)}
                  suffix={suffix}
                  defaultValue={typed?.[name]}
                  {...hintOf(defaults[name])}
                  error={errorAt(name)}
                />
              ))}
              {project.pools.length > 1 && (
                <SelectField
                  name="pool"
                  label={t("projects.new_vm.pool")}
                  value={typed?.pool ?? project.pools[0]!}
                  choices={choicesOf(project.pools)}
                  error={errorAt("pool")}
                />
              )}
              {project.networks.length > 1 && (
                <SelectField
                  name="network"
                  label={t("projects.new_vm.network")}
                  value={typed?.network ?? defaults.network ?? project.networks[0]!}
                  choices={choicesOf(project.networks)}
                  error={errorAt("network")}
                />
              )}
              <TextField
                name="user"
                label={t("projects.new_vm.user")}
                hint={t("projects.new_vm.user_hint")}
                maxLength={32}
                defaultValue={typed?.user}
                error={errorAt("user")}
              />
              <TextField
                name="sshKeys"
                label={t("projects.new_vm.ssh_key")}
                defaultValue={typed?.sshKeys ?? (typed === undefined ? "" : sshKeys[0])}
                error={errorAt("sshKeys")}
              />
              <TextField
                name="userPassword"
                type="password"
                autocomplete="new-password"
                label={t("projects.new_vm.password")}
                error={errorAt("userPassword")}
              />
              <CheckField
                name="start"
                label={t("projects.new_vm.start")}
                value="yes"
                defaultChecked={typed === undefined || typed.start === "yes"}
                wide
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("projects.create_vm")}</button>
              <a class="button" href={back}>{t("projects.new_vm.cancel")}</a>
            </div>
          </form>
        </Panel>
      )}
    </>
  );
});
