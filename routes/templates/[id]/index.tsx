import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { CreateVmsForm } from "../../../components/template/CreateVmsForm.tsx";
import type { Template } from "../../../lib/contract/mod.ts";
import { copyTemplateHref, diskText, templateHref } from "../../../lib/template/describe.ts";
import { freeNumber } from "../../../lib/template/names.ts";
import { answerWarnings } from "../../../lib/text/notice.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatMemory } from "../../../lib/text/quantity.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { osOf } from "../../../lib/vm/os/names.ts";
import { templates as texts } from "../../../lib/i18n/en/templates.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { subjectName } from "../../(_shared)/object_name.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { filePools, sendLong, templateInput } from "../../(_shared)/template.ts";

const area = textsOf(texts);
const COMMAND = "create_vm_from_template";

/** A name for VMs that begins as the template's; VM names begin with a letter. */
const nameFor = (template: string) =>
  `${template.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^(?=\d)/, "_").slice(0, 56)}-#`;

async function shown(state: PageState, templateId: string, refused: RefusedForm | null) {
  const { api } = state, template = await api.getTemplate({ templateId }).catch(fail);
  state.subject = template.name;
  const vms = await api.getVms().catch(unlessAway) ?? [];
  const name = nameFor(template.name);
  return {
    template,
    pools: await filePools(api),
    name,
    first: freeNumber({ name, count: 1 }, new Set(vms.map((vm) => vm.name))),
    refused,
    now: Date.now(),
  };
}

export const handler = define.handlers({
  async GET({ state, params }) {
    return page(await shown(state, params.id ?? "", state.refused));
  },
  /** New VMs: long work is not waited for. */
  async POST(ctx) {
    const templateId = ctx.params.id ?? "", { api } = ctx.state;
    const form = await postedForm(ctx.req);
    let created: unknown;
    const sent = await sendLong(
      api,
      COMMAND,
      form,
      async () => created = await api.createVmFromTemplate(templateInput(COMMAND, form, { templateId })),
    );
    if (sent !== null && typeof sent !== "string") {
      return page(await shown(ctx.state, templateId, sent), { status: sent.failure.status });
    }
    if (sent === null) {
      const name = await subjectName(api, COMMAND, { templateId });
      ctx.state.notify({ is: "done", word: COMMAND, name, warnings: answerWarnings(created) });
    }
    return ctx.redirect(sent ?? templateHref(templateId), 303);
  },
});

/** Name and description, to be changed. */
function Edit(
  { template: { id, name, description }, refused }: { template: Template; refused: RefusedForm | null },
) {
  const typed = typedAgain(refused, "update_template");
  return (
    <form method="post" action={formHref("update_template", { templateId: id }, templateHref(id))}>
      <div class="form-grid">
        <TextField
          label={area.t("templates.name")}
          name="name"
          required
          maxLength={64}
          defaultValue={typed?.name ?? name}
          error={refusalAt(refused, "update_template", "name")}
        />
        <TextField
          label={area.t("templates.description")}
          name="description"
          maxLength={1000}
          defaultValue={typed?.description ?? description}
        />
      </div>
      <div class="form-actions">
        <button type="submit" class="button">{area.t("templates.save")}</button>
      </div>
    </form>
  );
}

/** Deleting a version: asked before, like every deletion. */
function DeleteVersion(
  { template: { id, versions, vms }, version }: { template: Template; version: number },
) {
  const isNeeded = vms.some((vm) => vm.linked && vm.version === version);
  if (versions.length === 1 || isNeeded) return null;
  return (
    <form method="post" action={formHref("delete_template", { templateId: id, version }, templateHref(id))}>
      <button
        type="submit"
        class="button small"
        aria-label={area.t("templates.delete_version_of", { version })}
      >
        {area.t("templates.delete_version")}
      </button>
    </form>
  );
}

/** The VMs made of a template. @param now when the page was rendered */
function MadeVms({ vms, now }: Pick<Template, "vms"> & { now: number }) {
  return (
    <Panel title={area.t("templates.made")}>
      <DataTable
        label={area.t("templates.made")}
        rows={vms}
        keyOf={(vm) => vm.vmId}
        empty={area.t("templates.made_none")}
        attributesOf={({ vmId }) => ({ "data-vm": vmId })}
        columns={[
          {
            title: area.t("templates.vm"),
            cell: (vm) => (
              <a href={`/vms/${encodeURIComponent(vm.vmId)}`}>
                <bdi>{oneLine(vm.name, 64)}</bdi>
              </a>
            ),
          },
          {
            title: area.t("templates.kind"),
            cell: ({ linked }) => area.t(linked ? "templates.linked_yes" : "templates.linked_no"),
          },
          { title: area.t("templates.version"), cell: ({ version }) => version },
          {
            title: area.t("templates.created"),
            cell: ({ createdAt }) => <RelativeTime at={createdAt} now={now} />,
          },
        ]}
      />
    </Panel>
  );
}

/** Deleting a template, where no VM needs it. */
function DeleteTemplate(
  { template: { id, name, vms }, refused }: { template: Template; refused: RefusedForm | null },
) {
  const isNeeded = vms.some(({ linked }) => linked);
  return (
    <Panel title={area.t("templates.delete")}>
      {refused?.command === "delete_template" && <Flash tone="bad" failure={refused.failure} />}
      <p class="text-muted pad">
        {area.t(isNeeded ? "templates.delete_needed" : "templates.delete_what")}
      </p>
      {!isNeeded && (
        <form
          method="post"
          class="form-actions"
          action={formHref("delete_template", { templateId: id }, "/templates", templateHref(id))}
        >
          <details class="edit">
            <summary class="button danger">{area.t("templates.delete")}</summary>
            <button type="submit" class="button danger" name="confirmed" value="yes">
              {area.t("templates.delete_sure", { name: oneLine(name, 40) })}
            </button>
          </details>
        </form>
      )}
    </Panel>
  );
}

/** One template: what it is, new VMs of it, its versions, and the VMs made of it. */
export default define.page<typeof handler>(function TemplatePage({ data, state: { may } }) {
  const { template, pools, name: vmName, first, refused, now } = data;
  const { id, name, description, versions, vms } = template;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(name, 64) })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{oneLine(name, 64)}</bdi>
        </h1>
        {description !== "" && <span class="count">{oneLine(description, 200)}</span>}
      </header>
      <div class="template-page">
        {may("create_vm_from_template") && (
          <div id="create">
            <Panel title={area.t("templates.create")}>
              <CreateVmsForm
                versions={versions}
                pools={pools}
                name={vmName}
                first={first}
                refused={refused}
              />
            </Panel>
          </div>
        )}
        <MadeVms vms={vms} now={now} />
        <Panel title={area.t("templates.versions_title")}>
          <DataTable
            label={area.t("templates.versions_title")}
            rows={versions}
            keyOf={({ version }) => String(version)}
            attributesOf={({ version }) => ({ "data-version": String(version) })}
            columns={[
              { title: area.t("templates.version"), cell: ({ version }) => version },
              { title: area.t("templates.os"), cell: (version) => osOf(version) ?? "" },
              {
                title: area.t("templates.size"),
                fit: "wrap",
                cell: ({ cpuCount, memoryMb }) =>
                  area.plural("templates.hardware", cpuCount, { memory: formatMemory(memoryMb) }),
              },
              { title: area.t("templates.disks"), fit: "wrap", cell: (version) => diskText(version) },
              { title: area.t("templates.source"), cell: ({ source }) => <bdi>{oneLine(source, 64)}</bdi> },
              {
                title: area.t("templates.created"),
                cell: ({ createdAt }) => <RelativeTime at={createdAt} now={now} />,
              },
              { title: area.t("templates.by"), cell: ({ createdBy }) => oneLine(createdBy, 40) },
              may("delete_template") && {
                title: area.t("templates.actions"),
                kind: "actions",
                cell: ({ version }) => <DeleteVersion template={template} version={version} />,
              },
            ]}
          />
          <p class="text-muted pad">{area.t("templates.new_version")}</p>
        </Panel>
        {may("update_template") && (
          <Panel title={area.t("templates.details")}>
            {refused?.command === "update_template" && refused.field === undefined &&
              <Flash tone="bad" failure={refused.failure} />}
            <Edit template={template} refused={refused} />
          </Panel>
        )}
        {may("copy_template_to_host") && (
          <Panel title={area.t("templates.copy")}>
            <p>{area.t("templates.copy_what")}</p>
            <a class="button" href={copyTemplateHref(id)}>{area.t("templates.copy_do")}</a>
          </Panel>
        )}
        {may("delete_template") && <DeleteTemplate template={template} refused={refused} />}
      </div>
    </>
  );
});
