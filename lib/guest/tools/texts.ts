/** Files that come with the guest agent: units, scripts, and what people read first. Pure. */

/** The service's name everywhere. */
export const AGENT_NAME = "kvm-manager-agent";

/** systemd's unit. Hardly a sandbox: what the agent is for is to reach everything in the guest. */
export const SYSTEMD_UNIT = `[Unit]
Description=KVM Manager guest agent
ConditionVirtualization=vm

[Service]
ExecStart=/usr/sbin/${AGENT_NAME}
Restart=always
RestartSec=2
OOMScoreAdjust=-500
LimitCORE=0

[Install]
WantedBy=multi-user.target
`;

/** The unit is tied to no device: the agent waits for its port, which may be plugged in later. */
const SYSV_LINES = [
  "#!/bin/sh",
  "### BEGIN INIT INFO",
  `# Provides:          ${AGENT_NAME}`,
  "# Required-Start:    $local_fs",
  "# Required-Stop:     $local_fs",
  "# Default-Start:     2 3 4 5",
  "# Default-Stop:      0 1 6",
  "# Short-Description: KVM Manager guest agent",
  "### END INIT INFO",
  `pid=/run/${AGENT_NAME}.pid`,
  'case "$1" in',
  "start)",
  `  start-stop-daemon --start --background --make-pidfile --pidfile "$pid" --exec /usr/sbin/${AGENT_NAME}`,
  "  ;;",
  "stop)",
  '  start-stop-daemon --stop --pidfile "$pid" --retry 5',
  "  ;;",
  "restart | force-reload)",
  '  "$0" stop',
  '  "$0" start',
  "  ;;",
  "*)",
  '  echo "Usage: $0 {start|stop|restart}" >&2',
  "  exit 1",
  "  ;;",
  "esac",
  "",
];

/** A script for System V's init. */
export const SYSV_SCRIPT = SYSV_LINES.join("\n");

/** OpenRC's script. */
export const OPENRC_SCRIPT = `#!/sbin/openrc-run
description="KVM Manager guest agent"
command=/usr/sbin/${AGENT_NAME}
command_background=true
pidfile=/run/${AGENT_NAME}.pid
output_log=/var/log/${AGENT_NAME}.log
error_log=/var/log/${AGENT_NAME}.log
`;

/** The configuration as it is installed: all is allowed. */
export const AGENT_CONFIG = `{
  "read_only": false,
  "methods_denied": [],
  "commands_allowed": [],
  "commands_denied": [],
  "paths_allowed": [],
  "paths_denied": [],
  "user": ""
}
`;

/** Installs on any Linux, from the folder it is in. */
export const INSTALL_SH = `#!/bin/sh
# Installs the KVM Manager guest agent on Linux: sh install.sh; sh install.sh --remove takes it out again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=${AGENT_NAME}
[ "$(id -u)" = 0 ] || { echo "Run this as root: sudo sh $0" >&2; exit 1; }

has_systemd() { [ -d /run/systemd/system ]; }

stop() {
  if has_systemd; then
    systemctl disable --now "$name" 2>/dev/null || true
  elif command -v rc-service >/dev/null 2>&1; then
    rc-service "$name" stop 2>/dev/null || true
    rc-update del "$name" 2>/dev/null || true
  elif [ -x "/etc/init.d/$name" ]; then
    "/etc/init.d/$name" stop || true
  fi
}

if [ "\${1:-}" = --remove ]; then
  stop
  rm -f "/usr/sbin/$name" "/etc/systemd/system/$name.service" "/etc/init.d/$name"
  echo "Removed. The configuration stays in /etc/$name."
  exit 0
fi

case $(uname -m) in
x86_64 | amd64) arch=x86_64 ;;
aarch64 | arm64) arch=aarch64 ;;
*) echo "There is no agent for $(uname -m)" >&2; exit 1 ;;
esac

stop
mkdir -p /usr/sbin "/etc/$name"
cp "$here/$name-linux-$arch" "/usr/sbin/$name.new"
chmod 755 "/usr/sbin/$name.new"
mv "/usr/sbin/$name.new" "/usr/sbin/$name"
[ -e "/etc/$name/agent.json" ] || cp "$here/agent.json" "/etc/$name/agent.json"
"/usr/sbin/$name" --check

if has_systemd; then
  cp "$here/$name.service" "/etc/systemd/system/$name.service"
  systemctl daemon-reload
  systemctl enable --now "$name"
elif command -v rc-service >/dev/null 2>&1; then
  cp "$here/$name.openrc" "/etc/init.d/$name"
  chmod 755 "/etc/init.d/$name"
  rc-update add "$name" default
  rc-service "$name" start
else
  cp "$here/$name.sysv" "/etc/init.d/$name"
  chmod 755 "/etc/init.d/$name"
  ! command -v update-rc.d >/dev/null 2>&1 || update-rc.d "$name" defaults
  "/etc/init.d/$name" start
fi
echo "The KVM Manager guest agent is installed and runs."
`;

const cmd = (...lines: string[]) => `${lines.join("\r\n")}\r\n`;

/** Installs on Windows. */
export const INSTALL_CMD = cmd(
  "@echo off",
  "rem Installs the KVM Manager guest agent: right-click, Run as administrator. install.cmd /remove takes it out again.",
  "setlocal",
  `set name=${AGENT_NAME}`,
  "set folder=%ProgramFiles%\\KVM Manager Agent",
  "net session >nul 2>&1",
  "if errorlevel 1 (echo Run this as administrator. & exit /b 1)",
  "sc.exe stop %name% >nul 2>&1",
  "sc.exe delete %name% >nul 2>&1",
  "taskkill /F /IM %name%.exe >nul 2>&1",
  'if /I "%1"=="/remove" (rmdir /S /Q "%folder%" & echo Removed. & exit /b 0)',
  'if not exist "%folder%" mkdir "%folder%"',
  'if not exist "%ProgramData%\\KVM Manager Agent" mkdir "%ProgramData%\\KVM Manager Agent"',
  `copy /Y "%~dp0${AGENT_NAME}-windows-x86_64.exe" "%folder%\\%name%.exe" >nul`,
  "if errorlevel 1 (echo The agent could not be copied. & exit /b 1)",
  'if not exist "%ProgramData%\\KVM Manager Agent\\agent.json" copy "%~dp0agent.json" "%ProgramData%\\KVM Manager Agent\\agent.json" >nul',
  'sc.exe create %name% binPath= "\\"%folder%\\%name%.exe\\" --service" start= auto DisplayName= "KVM Manager guest agent"',
  "if errorlevel 1 exit /b 1",
  "sc.exe failure %name% reset= 86400 actions= restart/2000/restart/2000/restart/10000 >nul",
  "sc.exe start %name%",
  "if errorlevel 1 exit /b 1",
  "echo The KVM Manager guest agent is installed and runs.",
);

/** The label of the CD. */
export const TOOLS_LABEL = "KVM_GUEST_TOOLS";

/**
 * Script that cloud-init runs at the first start: installs from the CD, and needs no network. It contains no user
 * input.
 */
export const INSTALL_AT_FIRST_START = `#!/bin/sh
# KVM Manager's guest agent, from the CD with the guest tools
set -eu
folder=$(mktemp -d)
mount -o ro -t iso9660 /dev/disk/by-label/${TOOLS_LABEL} "$folder"
trap 'umount "$folder"; rmdir "$folder"' EXIT
sh "$folder/install.sh"
`;

/** Instructions on the CD. */
export const readme = (version: string) =>
  cmd(
    `KVM Manager guest tools ${version}`,
    "",
    "A small agent that lets KVM Manager see and do inside this VM what cannot be done from outside: addresses, file",
    "systems, commands, files, a shutdown that is asked for. It speaks with its host alone, by a virtual serial port",
    "(org.kvmmanager.agent.0), and with no network.",
    "",
    "Debian, Ubuntu:          sudo apt install ./kvm-manager-agent_*_amd64.deb     (arm64 on ARM)",
    "Fedora, RHEL, openSUSE:  sudo rpm -U kvm-manager-agent-*.x86_64.rpm           (aarch64 on ARM)",
    "Any other Linux:         sudo sh install.sh",
    "Windows 10, 2016, later: right-click install.cmd, Run as administrator. The virtio-serial driver must be there:",
    "                         it is on the virtio-win CD.",
    "",
    "To take it out again:    sudo apt remove kvm-manager-agent, sudo rpm -e kvm-manager-agent,",
    "                         sudo sh install.sh --remove, install.cmd /remove",
    "",
    "What the host may do is in /etc/kvm-manager-agent/agent.json (Windows: %ProgramData%\\KVM Manager Agent\\agent.json).",
    "All that it asked for is in the log: journalctl -u kvm-manager-agent (Windows: agent.log next to agent.json).",
  );
