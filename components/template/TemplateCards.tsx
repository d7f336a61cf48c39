import type { Template } from "../../lib/contract/mod.ts";
import { templateHref } from "../../lib/template/describe.ts";
import { diskText } from "../../lib/template/describe.ts";
import { formatMemory } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { osOf } from "../../lib/vm/os/names.ts";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t, plural } = textsOf(texts);

function Card({ template, mayCreate }: { template: Template; mayCreate: boolean }) {
  const { id, name, description, versions, vms, missing } = template, newest = versions[0]!;
  const os = osOf(newest);
  return (
    <li class="template-card" data-template={id}>
      <h2>
        <a href={templateHref(id)}>
          <bdi>{oneLine(name, 64)}</bdi>
        </a>
      </h2>
      {description !== "" && <p class="text-muted">{oneLine(description, 140)}</p>}
      <ul class="template-facts">
        {os !== undefined && <li>{os}</li>}
        <li>
          {plural("templates.hardware", newest.cpuCount, { memory: formatMemory(newest.memoryMb) })}
        </li>
        <li>{diskText(newest)}</li>
        <li>{plural("templates.versions", versions.length)}</li>
        <li>{vms.length === 0 ? t("templates.no_vms") : plural("templates.vms", vms.length)}</li>
      </ul>
      {missing !== undefined && (
        <p class="text-muted">{t("templates.missing", { paths: oneLine(missing.join(", "), 300) })}</p>
      )}
      {mayCreate && <a class="button" href={`${templateHref(id)}#create`}>{t("templates.create")}</a>}
    </li>
  );
}

/** The gallery: a card a template. */
export function TemplateCards({ list, mayCreate }: { list: readonly Template[]; mayCreate: boolean }) {
  return (
    <ul class="template-cards">
      {list.map((each) => <Card key={each.id} template={each} mayCreate={mayCreate} />)}
    </ul>
  );
}
