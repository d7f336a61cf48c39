import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField } from "../../../components/kit/Field.tsx";
import { Fact } from "../../../components/kit/Fact.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { ProjectMembers } from "../../../components/projects/ProjectMembers.tsx";
import { ProjectQuotaForm, ProjectSettingsForm } from "../../../components/projects/ProjectForms.tsx";
import { ProjectVms } from "../../../components/projects/ProjectVms.tsx";
import { OverQuota, UsageBar } from "../../../components/projects/Usage.tsx";
import { QUOTA_FIELDS } from "../../../lib/contract/mod.ts";
import { projects as texts } from "../../../lib/i18n/en/projects.ts";
import { t as tAll, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import {
  PROJECT_SETTINGS,
  projectSettingsIn,
  type ProjectTyped,
  projectTyped,
} from "../../../lib/projects/settings_form.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { textIn } from "../../../lib/text/form_fields.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatDisk } from "../../../lib/text/quantity.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { DEFAULT_QUERY, listHref } from "../../../lib/vm/list_query.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { confirmOwn } from "../../(_shared)/own_password.ts";

const { t } = textsOf(texts);

/** VMs that one list has at most: where there are more, each is put into a project on its own page. */
const MOST_CHOICES = 500;

async function shown(
  state: PageState,
  projectId: string,
  typed?: ProjectTyped,
  failure: Failure | null = null,
) {
  const { api } = state, project = await api.getProject({ projectId }).catch(fail);
  state.subject = project.name;
  const mayManage = state.may("update_project");
  const vms = mayManage ? await api.getVms().catch(unlessAway) ?? [] : [];
  return {
    project,
    mayManage,
    typed: typed ?? projectTyped(project),
    failure,
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
    const before = projectTyped(project), what = textIn(form, "what");
    const fields = what === "settings" ? PROJECT_SETTINGS : ["userId", "role"] as const;
    const typed = { ...before, ...Object.fromEntries(fields.map((field) => [field, textIn(form, field)])) };
    try {
      if (what === "settings") {
        await state.api.updateProject({ projectId, ...projectSettingsIn(typed) });
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
  const moved = typedAgain(state.refused, "set_vm_project");
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
        <ProjectVms project={project} mayManage={mayManage} />
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
            <ProjectMembers
              {...{ project, typed, users, roles }}
              user={state.user}
              again={failure !== null}
            />
            <ProjectQuotaForm project={project} refused={state.refused} here={here} />
            <ProjectSettingsForm typed={typed} />
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
