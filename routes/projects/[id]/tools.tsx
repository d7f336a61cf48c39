import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { runIn, RunSkill, type TypedRun } from "../../../components/profiles/RunSkill.tsx";
import { ToolMatrix } from "../../../components/profiles/ToolMatrix.tsx";
import {
  TOOL_FIELDS,
  ToolFields,
  toolIn,
  type ToolRow,
  ToolTable,
  type TypedTool,
} from "../../../components/profiles/Tools.tsx";
import { profiles as texts } from "../../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { isTool, toolText } from "../../../lib/profiles/tools.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { textIn } from "../../../lib/text/form_fields.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { finishesWithin, taskHref } from "../../(_shared)/long_work.ts";

const { t } = textsOf(texts);
/** Milliseconds that a skill has to be refused, before its task is shown. */
const RUN_WAIT_MS = 2000;

async function shown(
  state: PageState,
  project_id: string,
  { typed, run, chosen = run?.skill, failure = null }: {
    readonly typed?: TypedTool;
    readonly run?: TypedRun;
    /** Name of the skill that is to be run. */
    readonly chosen?: string | undefined;
    readonly failure?: Failure | null;
  } = {},
) {
  const { api } = state, project = await api.getProject({ projectId: project_id }).catch(fail);
  const tools = await api.getProjectTools({ project_id }).catch(fail);
  state.subject = project.name;
  const mayManage = state.may("assign_profile");
  const profiles = mayManage ? await api.listProfiles().catch(unlessAway) ?? [] : [];
  const defined = mayManage ? await api.listTools().catch(unlessAway) ?? [] : [];
  return {
    tools,
    mayManage,
    profiles,
    defined,
    typed,
    run,
    chosen,
    failure,
    vms: project.vmsOfIt.filter(({ inBin }) => !inBin),
  };
}

/** Runs the skill of a form. @returns the page of its task */
async function runSkill(
  { api }: PageState,
  project_id: string,
  { skill, values }: TypedRun,
): Promise<string> {
  const since = Date.now();
  await finishesWithin(api.runSkill({ project_id, tool_name: skill, parameters: values }), RUN_WAIT_MS);
  return await taskHref(api, "run_skill", since);
}

export const handler = define.handlers({
  async GET({ state, params, url }) {
    const chosen = url.searchParams.get("skill") ?? undefined;
    return page(await shown(state, params.id ?? "", { chosen }));
  },
  /** Adds a local tool, or runs a skill. */
  async POST(ctx) {
    const { req, state } = ctx, id = ctx.params.id ?? "", form = await postedForm(req);
    if (textIn(form, "action") === "run_skill") {
      const run = runIn(form.keys(), (field) => textIn(form, field));
      try {
        return ctx.redirect(await runSkill(state, id, run), 303);
      } catch (error) {
        const failure = failureOf(error);
        return page(await shown(state, id, { run, failure }), { status: failure.status });
      }
    }
    const typed = Object.fromEntries(TOOL_FIELDS.map((field) => [field, textIn(form, field)])) as TypedTool;
    try {
      await state.api.addLocalTool({ project_id: id, tool_ref: toolIn(typed) });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, id, { typed, failure }), { status: failure.status });
    }
    return ctx.redirect(`/projects/${encodeURIComponent(id)}/tools`, 303);
  },
});

/** The tools of a project: its profile, and local ones. */
export default define.page<typeof handler>(function ProjectTools({ data, state }) {
  const { tools: { project_id, profile, profile_tools, local_tools }, mayManage, profiles } = data;
  const here = `/projects/${encodeURIComponent(project_id)}/tools`;
  const rows = [...profile_tools, ...local_tools];
  const held = rows.filter((row) =>
    row.source === "local" || !local_tools.some((local) => isTool(local, row))
  );
  const skills = held.flatMap(({ name, parameters }) =>
    parameters === undefined ? [] : [{ name, parameters }]
  );
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("profiles.of_project") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("profiles.of_project")}</h1>
      </header>
      <div class="storage-stack">
        {data.failure !== null && <Flash tone="bad" icon="alert" title={data.failure.why} />}
        <Panel title={t("profiles.profile")}>
          {profile === null ? <p class="pad text-muted">{t("profiles.none_assigned")}</p> : (
            <p class="pad">
              {state.may("get_profile")
                ? (
                  <a href={`/profiles/${encodeURIComponent(profile.id)}`}>
                    <bdi>{oneLine(profile.name, 64)}</bdi>
                  </a>
                )
                : <bdi>{oneLine(profile.name, 64)}</bdi>}
            </p>
          )}
          {mayManage && profile !== null && (
            <form method="post" action={formHref("unassign_profile", { project_id }, here)}>
              <div class="form-actions">
                <button type="submit" class="button">{t("profiles.unassign")}</button>
              </div>
            </form>
          )}
          {mayManage && profile === null && profiles.length === 0 && (
            <div class="form-actions">
              <a class="button" href="/profiles">{t("profiles.new")}</a>
            </div>
          )}
          {mayManage && profile === null && profiles.length > 0 && (
            <form method="post" action={formHref("assign_profile", { project_id }, here)}>
              <div class="form-grid">
                <SelectField
                  name="profile_id"
                  label={t("profiles.profile")}
                  value=""
                  choices={profiles.map(({ id, name }) => ({ value: id, label: oneLine(name, 64) }))}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button">{t("profiles.assign")}</button>
              </div>
            </form>
          )}
        </Panel>
        <Panel title={t("profiles.tools")}>
          <p class="pad text-muted">{t("profiles.of_project_what")}</p>
          <ToolTable
            label={t("profiles.tools")}
            rows={rows}
            {...(mayManage && { defined: data.defined })}
            {...(mayManage && {
              actions: (tool: ToolRow) =>
                tool.source !== "local" ? null : (
                  <RowButton
                    action={formHref(
                      "remove_local_tool",
                      { project_id, tool_name: tool.name, tool_type: tool.tool_type },
                      here,
                    )}
                    text={t("profiles.remove")}
                    label={t("profiles.remove_of", { tool: toolText(tool) })}
                  />
                ),
            })}
          />
        </Panel>
        {skills.length > 0 && state.may("run_skill", { projectId: project_id }) && (
          <RunSkill here={here} skills={skills} chosen={data.chosen} typed={data.run} vms={data.vms} />
        )}
        {mayManage && (
          <Panel title={t("profiles.add")}>
            <form method="post">
              <ToolFields typed={data.typed} defined={data.defined} />
              <div class="form-actions">
                <button type="submit" class="button">{t("profiles.add")}</button>
              </div>
            </form>
          </Panel>
        )}
        {rows.length > 0 && (
          <Panel title={t("profiles.matrix")}>
            <p class="pad text-muted">{t("profiles.matrix_what")}</p>
            <ToolMatrix tools={held} />
          </Panel>
        )}
      </div>
    </>
  );
});
