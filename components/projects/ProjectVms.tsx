import type { ProjectDetails } from "../../lib/contract/mod.ts";
import { projects as texts } from "../../lib/i18n/en/projects.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatDisk } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Panel } from "../kit/Panel.tsx";
import { quotaFigure } from "./Usage.tsx";

const { t } = textsOf(texts);

/** The VMs of a project, those in the bin too. @param mayManage ends of VMs are links to where they are set */
export function ProjectVms({ project, mayManage }: { project: ProjectDetails; mayManage: boolean }) {
  return (
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
  );
}
