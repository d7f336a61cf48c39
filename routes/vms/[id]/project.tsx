import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { projects as texts } from "../../../lib/i18n/en/projects.ts";
import { t as tAll, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    return page({ vm, projects: await ctx.state.api.listProjects().catch(fail) });
  },
});

/** In which project a VM is, and when it ends. */
export default define.page<typeof handler>(function VmProject({ data: { vm, projects }, state }) {
  const { id: vmId } = vm, here = `/vms/${encodeURIComponent(vmId)}/project`;
  const typed = typedAgain(state.refused, "set_vm_project"), end = typedAgain(state.refused, "set_vm_end");
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("projects.of_vm") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("projects.of_vm")}</h1>
      </header>
      <Panel title={t("projects.project")}>
        <p class="pad text-muted">{t("projects.of_vm_what")}</p>
        <form
          method="post"
          action={formHref("set_vm_project", { vmId }, `/vms/${encodeURIComponent(vmId)}`, here)}
        >
          <div class="form-grid">
            <SelectField
              name="project"
              label={t("projects.project")}
              value={typed?.project ?? vm.project?.id ?? ""}
              choices={[
                { value: "", label: t("projects.no_project") },
                ...projects.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) })),
              ]}
              error={refusalAt(state.refused, "set_vm_project", "project")}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("projects.save")}</button>
          </div>
        </form>
      </Panel>
      <Panel
        title={t("projects.ends_at")}
        aside={vm.endsAt !== undefined && (
          <RowButton
            confirmed
            action={formHref("set_vm_end", { vmId }, here)}
            text={t("projects.end_remove")}
            label={t("projects.end_remove_now")}
          />
        )}
      >
        {vm.endsAt !== undefined && (
          <p class="pad">{t("projects.ends_now", { at: formatWhen(vm.endsAt) })}</p>
        )}
        <form
          method="post"
          action={formHref("set_vm_end", { vmId }, `/vms/${encodeURIComponent(vmId)}`, here)}
        >
          <div class="form-grid">
            <TextField
              name="endsAt"
              type="datetime-local"
              label={t("projects.ends_at")}
              hint={t("projects.ends_hint", { zone: state.zone })}
              required
              defaultValue={end?.endsAt ?? ""}
              error={refusalAt(state.refused, "set_vm_end", "endsAt")}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("projects.save")}</button>
          </div>
        </form>
      </Panel>
    </>
  );
});
