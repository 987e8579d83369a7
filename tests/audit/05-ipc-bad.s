; class 5: ipc
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_shmget, deny
ret allow
deny: ret errno(EPERM)
