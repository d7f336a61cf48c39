import { page } from "fresh";
import { Head } from "fresh/runtime";
import { OwnPassword } from "../../../components/access/OwnPassword.tsx";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Fact } from "../../../components/kit/Fact.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { OverQuota, quotaFigure, UsageBar } from "../../../components/projects/Usage.tsx";
import { type ProjectDetails, QUOTA_FIELDS } from "../../../lib/contract/mod.ts";
import { projects as texts } from "../../../lib/i18n/en/projects.ts";
import { t as tAll, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { textIn } from "../../../lib/text/form_fields.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatDisk } from "../../../lib/text/quantity.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { DEFAULT_QUERY, listHref } from "../../../lib/vm/list_query.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { confirmOwn } from "../../(_shared)/own_password.ts";

const { t } = textsOf(texts);

/** Fields of the settings that the page reads itself: lists in one line, and defaults that are emptied. */
const LISTS = ["pools", "networks", "images"] as const;
const DEFAULTS = ["cpuCount", "memoryMb", "diskSizeGb", "network", "tags", "days"] as const;
const SETTINGS = ["name", "description", ...LISTS, ...DEFAULTS] as const;
/** VMs that one list has at most: where there are more, each is put into a project on its own page. */
const MOST_CHOICES = 500;
type Typed = Readonly<Record<typeof SETTINGS[number] | "userId" | "role", string>>;

function typedOf({ defaults, ...project }: ProjectDetails): Typed {
  const own = (field: typeof DEFAULTS[number]) =>
    field === "tags" ? defaults.tags?.join(" ") ?? "" : String(defaults[field] ?? "");
  return {
    ...{ name: project.name, description: project.description, userId: "", role: "viewer" },
    ...Object.fromEntries(LISTS.map((field) => [field, project[field].join(", ")])),
    ...Object.fromEntries(DEFAULTS.map((field) => [field, own(field)])),
  } as Typed;
}

const words = (text: string, separator: RegExp) =>
  text.split(separator).map((word) => word.trim()).filter((word) => word !== "");

/** The settings as they were typed; what is no number is refused by the command. */
function settingsIn(typed: Typed) {
  const numbers = (["cpuCount", "memoryMb", "diskSizeGb", "days"] as const).flatMap((field) => {
    const text = typed[field].trim();
    return text === "" ? [] : [[field, /^\d+$/.test(text) ? Number(text) : text]];
  });
  const tags = words(typed.tags, /[\s,]+/), network = typed.network.trim();
  return {
    name: typed.name.trim(),
    description: typed.description,
    ...Object.fromEntries(LISTS.map((field) => [field, words(typed[field], /,/)])),
    defaults: {
      ...Object.fromEntries(numbers),
      ...(network !== "" && { network }),
      ...(tags.length > 0 && { tags }),
    },
  };
}

async function shown(state: PageState, projectId: string, typed?: Typed, failure: Failure | null = null) {
  const { api } = state, project = await api.getProject({ projectId }).catch(fail);
  state.subject = project.name;
  const mayManage = state.may("update_project");
  const vms = mayManage ? await api.getVms().catch(unlessAway) ?? [] : [];
  return {
    ...{ project, mayManage, typed: typed ?? typedOf(project), failure },
    apart: vms.filter(({ project }) => project === undefined).toSorted((a, b) =>
      a.name.localeCompare(b.name, "en")
    ),
    users: mayManage ? await api.listUsers().catch(unlessAway) ?? [] : [],
    roles: mayManage ? await api.listRoles().catch(unlessAway) ?? [] : [],
  };
}

export const handler = define.handlers({
  async GET({ state, params }) {
    return page(await shown(state, params.id ?? ""));
  },
  /** Settings, and members: a proof of who asks comes along in the form. */
  async POST(ctx) {
    const { req, state } = ctx, projectId = ctx.params.id ?? "", form = await postedForm(req);
    const { project } = await shown(state, projectId);
    const before = typedOf(project), what = textIn(form, "what");
    const fields = what === "settings" ? SETTINGS : ["userId", "role"] as const;
    const typed = { ...before, ...Object.fromEntries(fields.map((field) => [field, textIn(form, field)])) };
    try {
      if (what === "settings") {
        await state.api.updateProject({ projectId, ...settingsIn(typed) });
      } else {
        await confirmOwn(state.api, form);
        const { userId, role } = typed;
        if (what === "remove") await state.api.removeProjectMember({ projectId, userId });
        else await state.api.addProjectMember({ projectId, userId, role });
      }
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, projectId, typed, failure), { status: failure.status });
    }
    return ctx.redirect(`/projects/${encodeURIComponent(projectId)}`, 303);
  },
});

/** One project: what it uses, its VMs, members, quota, settings and defaults. */
export default define.page<typeof handler>(function ProjectPage({ data, state }) {
  const { project, mayManage, typed, failure, users, roles, apart } = data, { id: projectId } = project;
  const here = `/projects/${encodeURIComponent(projectId)}`;
  const again = typedAgain(state.refused, "set_quota"), moved = typedAgain(state.refused, "set_vm_project");
  const suffix = (field: string) =>
    field === "memoryMb" ? "MiB" : field === "diskGb" || field === "diskSizeGb" ? "GiB" : undefined;
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: oneLine(project.name, 60) })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{oneLine(project.name, 60)}</bdi>
        </h1>
        <span class="actions">
          <a class="button" href={`${here}/tools`}>{t("projects.tools")}</a>
          <a class="button" href={listHref(DEFAULT_QUERY, { project: project.name })}>
            {t("projects.show_vms")}
          </a>
          {state.may("create_vm") && mayManage
            ? (
              <a class="button primary" href={`/vms/new?${new URLSearchParams({ project: projectId })}`}>
                {t("projects.create_vm")}
              </a>
            )
            : project.pools.length > 0 && state.may("create_project_vm", { projectId }) && (
              <a class="button primary" href={`${here}/new-vm`}>{t("projects.create_vm")}</a>
            )}
        </span>
      </header>
      <div class="storage-stack">
        {failure !== null && <Flash tone="bad" icon="alert" title={failure.why} />}
        <Panel title={t("projects.usage")} aside={<OverQuota project={project} />}>
          {project.description !== "" && <p class="pad">{oneLine(project.description, 1000)}</p>}
          <dl class="description-list">
            {QUOTA_FIELDS.map((field) => (
              <Fact key={field} label={t(`projects.quota.${field}`)}>
                <UsageBar project={project} field={field} />
              </Fact>
            ))}
          </dl>
          {project.usage.binDiskGb > 0 && (
            <p class="pad text-muted">
              {t("projects.in_bin", { size: formatDisk(project.usage.binDiskGb) })}
            </p>
          )}
        </Panel>
        <Panel title={t("projects.vms")}>
          <DataTable
            label={t("projects.vms")}
            rows={project.vmsOfIt}
            keyOf={({ vmId }) => vmId}
            attributesOf={({ name }) => ({ "data-vm": name })}
            empty={<p class="pad text-muted">{t("projects.no_vms")}</p>}
            columns={[
              {
                title: t("projects.vm"),
                cell: ({ vmId, name, inBin }) =>
                  inBin
                    ? (
                      <span>
                        <bdi>{oneLine(name, 60)}</bdi> <span class="text-muted">({t("projects.bin")})</span>
                      </span>
                    )
                    : (
                      <a href={`/vms/${encodeURIComponent(vmId)}`}>
                        <bdi>{oneLine(name, 60)}</bdi>
                      </a>
                    ),
              },
              { title: t("projects.cpus"), kind: "number", cell: ({ cpus, inBin }) => inBin ? null : cpus },
              {
                title: t("projects.memory"),
                kind: "number",
                cell: ({ memoryMb, inBin }) => inBin ? null : quotaFigure("memoryMb", memoryMb),
              },
              { title: t("projects.disk"), kind: "number", cell: ({ diskGb }) => formatDisk(diskGb) },
              {
                title: t("projects.ends"),
                cell: ({ vmId, endsAt, inBin }) => {
                  const text = endsAt === null ? t("projects.no_project") : formatWhen(endsAt);
                  return mayManage && !inBin
                    ? <a href={`/vms/${encodeURIComponent(vmId)}/project`}>{text}</a>
                    : endsAt === null
                    ? null
                    : text;
                },
              },
            ]}
          />
        </Panel>
        {apart.length > 0 && apart.length <= MOST_CHOICES && (
          <Panel title={t("projects.add_vm")}>
            <form method="post" action={formHref("set_vm_project", { project: projectId }, here)}>
              <div class="form-grid">
                <SelectField
                  name="vmId"
                  label={t("projects.vm")}
                  hint={t("projects.add_vm_what")}
                  value={moved?.vmId ?? ""}
                  choices={apart.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) }))}
                  error={refusalAt(state.refused, "set_vm_project", "vmId")}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button">{t("projects.add_vm")}</button>
              </div>
            </form>
          </Panel>
        )}
        {mayManage && (
          <>
            <Panel title={t("projects.members")}>
              <DataTable
                label={t("projects.members")}
                rows={project.members}
                keyOf={({ userId }) => userId}
                attributesOf={({ name }) => ({ "data-member": name })}
                empty={<p class="pad text-muted">{t("projects.no_members")}</p>}
                columns={[
                  {
                    title: t("projects.user"),
                    cell: ({ userId, name }) => (
                      <a href={`/settings/users/${encodeURIComponent(userId)}`}>{name}</a>
                    ),
                  },
                  { title: t("projects.role"), cell: ({ roles: has }) => has.join(", ") },
                  {
                    title: t("projects.actions"),
                    kind: "actions",
                    cell: ({ userId, name }) => (
                      <form method="post" class="inline-form">
                        <input type="hidden" name="what" value="remove" />
                        <input type="hidden" name="userId" value={userId} />
                        <OwnPassword user={state.user} again={failure !== null} />
                        <button
                          type="submit"
                          class="button small"
                          aria-label={t("projects.member_remove_of", { name })}
                        >
                          {t("projects.member_remove")}
                        </button>
                      </form>
                    ),
                  },
                ]}
              />
              {users.length > 0 && (
                <form method="post">
                  <input type="hidden" name="what" value="add" />
                  <div class="form-grid">
                    <SelectField
                      name="userId"
                      label={t("projects.user")}
                      value={typed.userId}
                      choices={users.map(({ id, name }) => ({ value: id, label: name }))}
                    />
                    <SelectField
                      name="role"
                      label={t("projects.role")}
                      hint={t("projects.member_hint")}
                      value={typed.role}
                      choices={roles.map(({ role }) => ({ value: role, label: role }))}
                    />
                    <OwnPassword user={state.user} again={failure !== null} />
                  </div>
                  <div class="form-actions">
                    <button type="submit" class="button">{t("projects.member_add")}</button>
                  </div>
                </form>
              )}
            </Panel>
            <Panel title={t("projects.quota")}>
              <p class="pad text-muted">{t("projects.quota_what")}</p>
              <form method="post" action={formHref("set_quota", { projectId }, here)}>
                <div class="form-grid">
                  {QUOTA_FIELDS.map((field) => (
                    <TextField
                      key={field}
                      name={field}
                      label={t(`projects.quota.${field}`)}
                      hint={t("projects.unlimited")}
                      suffix={suffix(field)}
                      defaultValue={again?.[field] ?? String(project.quota[field] ?? "")}
                      error={refusalAt(state.refused, "set_quota", field)}
                    />
                  ))}
                </div>
                <div class="form-actions">
                  <button type="submit" class="button">{t("projects.save")}</button>
                </div>
              </form>
            </Panel>
            <Panel title={t("projects.settings")}>
              <form method="post">
                <input type="hidden" name="what" value="settings" />
                <div class="form-grid">
                  <TextField
                    name="name"
                    label={t("projects.name")}
                    required
                    maxLength={64}
                    defaultValue={typed.name}
                  />
                  <TextField
                    name="description"
                    label={t("projects.description")}
                    maxLength={1000}
                    defaultValue={typed.description}
                  />
                  {LISTS.map((field) => (
                    <TextField
                      key={field}
                      name={field}
                      label={t(`projects.${field}`)}
                      hint={t("projects.names_hint")}
                      defaultValue={typed[field]}
                    />
                  ))}
                </div>
                <h3 class="pad">{t("projects.defaults")}</h3>
                <p class="pad text-muted">{t("projects.defaults_what")}</p>
                <div class="form-grid">
                  {DEFAULTS.map((field) => (
                    <TextField
                      key={field}
                      name={field}
                      label={t(`projects.default.${field}`)}
                      suffix={suffix(field)}
                      defaultValue={typed[field]}
                      {...(field === "tags" && { hint: t("projects.tags_hint") })}
                    />
                  ))}
                </div>
                <div class="form-actions">
                  <button type="submit" class="button">{t("projects.save")}</button>
                </div>
              </form>
            </Panel>
            <Panel title={t("projects.delete")}>
              <p class="pad text-muted">{t("projects.delete_what")}</p>
              <form method="post" action={formHref("delete_project", { projectId }, "/projects", here)}>
                <input type="hidden" name="confirmed" value="yes" />
                <div class="form-actions">
                  <button type="submit" class="button danger">
                    {t("projects.delete_sure", { name: oneLine(project.name, 40) })}
                  </button>
                </div>
              </form>
            </Panel>
          </>
        )}
      </div>
    </>
  );
});
