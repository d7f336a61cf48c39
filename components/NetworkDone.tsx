import { doneText } from "../lib/format/networks.ts";
import { networks } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

const { t } = textsOf(networks);

/** What the form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function NetworkDone({ params }: { params: URLSearchParams }) {
  const text = doneText(params.get("done"));
  if (text === undefined) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{t(text)}</span>
    </p>
  );
}
