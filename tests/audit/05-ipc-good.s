; the repaired twin of 05-ipc-bad.s
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_shmget, deny
jeq #__NR_ipc, old
ret allow
old: ret errno(ENOSYS)
deny: ret errno(EPERM)
