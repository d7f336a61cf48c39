/** Definitions of our own writing, in the dialects of those who write them. For tests. */

/** A VM of ESXi: UEFI with Secure Boot, a disk on SCSI and one on NVMe, a CD drive, two network interfaces. */
export const VMX_ESXI = `.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
displayName = "web |22one|22"
guestOS = "windows2019srv-64"
firmware = "efi"
uefi.secureBoot.enabled = "TRUE"
vtpm.present = "TRUE"
memSize = "4096"
numvcpus = "4"
cpuid.coresPerSocket = "2"
annotation = "first line|0Asecond line"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsisas1068"
scsi0:0.present = "TRUE"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "web.vmdk"
nvme0.present = "TRUE"
nvme0:0.present = "TRUE"
nvme0:0.fileName = "/vmfs/volumes/5f0/web/data.vmdk"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "/vmfs/volumes/iso/windows.iso"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "vpx"
ethernet0.generatedAddress = "00:50:56:9a:00:01"
ethernet1.present = "TRUE"
ethernet1.virtualDev = "e1000e"
ethernet1.networkName = "Storage"
ethernet1.addressType = "static"
ethernet1.address = "00:50:56:00:00:02"
ethernet1.startConnected = "FALSE"
`;

/** A VM of an old Workstation on Windows: other letters in keys, its encoding, IDE. */
export const VMX_WORKSTATION = new Uint8Array([
  ...new TextEncoder().encode(
    '#!/usr/bin/vmware\r\nCONFIG.version = "8"\r\n.encoding = "windows-1252"\r\n' +
      'memsize = "256"\r\nguestos = "winxppro"\r\nIDE0:0.Present = "true"\r\n' +
      'IDE0:0.fileName = "C:\\VMs\\alt.vmdk"\r\nethernet0.present = "TRUE"\r\n' +
      'ethernet0.connectionType = "nat"\r\nethernet0.addressType = "generated"\r\n' +
      'ethernet0.generatedAddress = "00:0c:29:00:00:01"\r\ndisplayName = "B',
  ),
  0xfc, // ü
  ...new TextEncoder().encode('ro"\r\n'),
]);

/** A VM of Proxmox: UEFI, TPM, VLAN, a snapshot and a change that waits. */
export const PROXMOX = `#Notes of %C3%BCber
#second line
agent: 1
bios: ovmf
boot: order=scsi1;net0
cores: 2
cpu: host
efidisk0: local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1,size=4M
ide2: none,media=cdrom
machine: pc-q35-8.1
memory: 4096
name: web
net0: virtio=BC:24:11:AA:BB:01,bridge=vmbr0,firewall=1,tag=20
net1: model=e1000,macaddr=BC:24:11:AA:BB:02,bridge=vmbr1,link_down=1
ostype: l26
parent: before
scsi0: local-lvm:vm-100-disk-2,discard=on,size=8G
scsi1: local:100/vm-100-disk-1.qcow2,iothread=1,size=32G
scsihw: virtio-scsi-single
smbios1: uuid=7b10d7af-b932-4c66-b2c3-3996152ec465
sockets: 2
tpmstate0: local-lvm:vm-100-disk-3,size=4M,version=v2.0
usb0: host=1234:5678

[PENDING]
memory: 8192
delete: net1

[before]
cores: 1
memory: 1024
scsi1: local:100/vm-100-disk-1.qcow2,size=32G
`;

/** A description of a split image of VMware. */
export const VMDK_DESCRIPTOR = `# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=fffffffe
parentCID=ffffffff
createType="twoGbMaxExtentSparse"

# Extent description
RW 8192 SPARSE "web-s001.vmdk"
RW 2048 SPARSE "web-s002.vmdk"

# The Disk Data Base
#DDB
ddb.adapterType = "lsilogic"
`;
