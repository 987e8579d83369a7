; class 15: setxattrat
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_setxattr, deny
jeq #__NR_lsetxattr, deny
jeq #__NR_fsetxattr, deny
jeq #__NR_io_uring_setup, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
