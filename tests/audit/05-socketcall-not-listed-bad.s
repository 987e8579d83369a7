; class 5: socketcall not listed
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_socketcall, allow
ret errno(EPERM)
allow: ret allow
