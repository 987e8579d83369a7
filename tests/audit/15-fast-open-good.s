; the repaired twin of 15-fast-open-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_connect, deny
jeq #__NR_sendto, deny
jeq #__NR_sendmsg, deny
jeq #__NR_sendmmsg, deny
jeq #__NR_io_uring_setup, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
