import { useEffect } from "preact/hooks";
import { live } from "../lib/client/live.ts";

/** Loads the page again as soon as libvirt is back: for pages that could not be shown without it. */
export default function ReloadWhenBack() {
  const back = live.connection.value?.connected === true;
  useEffect(() => {
    if (back) location.reload();
  }, [back]);
  return null;
}
