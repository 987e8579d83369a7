; class 2: x32 open
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_reboot, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
