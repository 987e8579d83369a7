; class 20: notify
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
jeq #__NR_openat, ask
ret errno(EPERM)
ask: ret notify
allow: ret allow
foreign: ret kill_process
