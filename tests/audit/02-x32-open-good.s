; the repaired twin of 02-x32-open-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_reboot, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
