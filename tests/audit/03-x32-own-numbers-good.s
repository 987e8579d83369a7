; the repaired twin of 03-x32-own-numbers-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jge #512, own
jeq #__NR_kexec_load, deny
jeq #__NR_kexec_file_load, deny
ret allow
own: jgt #547, plain, deny
plain: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
