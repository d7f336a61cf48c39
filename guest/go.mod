module kvmmanager.org/guest

go 1.19
